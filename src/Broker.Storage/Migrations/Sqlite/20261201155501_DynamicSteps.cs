using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class DynamicSteps : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "input",
                table: "step",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "items",
                table: "step",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<short>(
                name: "kind",
                table: "step",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "name",
                table: "step",
                type: "TEXT",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "input",
                table: "step");

            migrationBuilder.DropColumn(
                name: "items",
                table: "step");

            migrationBuilder.DropColumn(
                name: "kind",
                table: "step");

            migrationBuilder.DropColumn(
                name: "name",
                table: "step");
        }
    }
}
