using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class LeasedAhead : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "ahead",
                table: "step",
                type: "boolean",
                nullable: false,
                defaultValue: false);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "ahead",
                table: "step");
        }
    }
}
