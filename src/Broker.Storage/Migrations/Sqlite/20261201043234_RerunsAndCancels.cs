using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class RerunsAndCancels : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "cancelled_at",
                table: "run",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "from_run",
                table: "run",
                type: "INTEGER",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "cancelled_at",
                table: "run");

            migrationBuilder.DropColumn(
                name: "from_run",
                table: "run");
        }
    }
}
