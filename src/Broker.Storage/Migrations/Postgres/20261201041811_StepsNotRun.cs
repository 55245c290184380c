using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class StepsNotRun : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_step_status",
                table: "step");

            migrationBuilder.AddCheckConstraint(
                name: "ck_step_status",
                table: "step",
                sql: "status BETWEEN 1 AND 9");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_step_status",
                table: "step");

            migrationBuilder.AddCheckConstraint(
                name: "ck_step_status",
                table: "step",
                sql: "status BETWEEN 1 AND 8");
        }
    }
}
